"""The exercises as an nbgrader course: written in ``source/<set>/``, handed out from ``release/<set>/``.

``python -m gatedrnn.practice.products`` makes the release from the source; nbgrader's ``generate_assignment``
follows the same rules with the stubs below. Marks that mean something come from ``gatedrnn grade``, which runs
every notebook apart and compares elsewhere.
"""

c = get_config()  # noqa: F821 – nbgrader puts it here

c.CourseDirectory.course_id = "machines-with-memory"
c.CourseDirectory.source_directory = "source"
c.CourseDirectory.release_directory = "release"
c.CourseDirectory.submitted_directory = "submitted"
c.CourseDirectory.autograded_directory = "autograded"
c.CourseDirectory.feedback_directory = "feedback"

# The stubs of gatedrnn.practice.products, word for word; a test compares them.
c.ClearSolutions.begin_solution_delimeter = "BEGIN SOLUTION"
c.ClearSolutions.end_solution_delimeter = "END SOLUTION"
c.ClearSolutions.code_stub = {"python": 'raise NotImplementedError("replace this line with your answer")'}
c.ClearSolutions.text_stub = "*Write your answer here.*"
