"""The exercises as an nbgrader course: written in ``source/<set>/``, handed out from ``release/<set>/``.

``nbgrader generate_assignment`` makes the same students' notebooks as ``make exercises``, and ``nbgrader autograde``
marks as ``gatedrnn grade`` does: every notebook runs apart, and answers are compared elsewhere. The gradebook is
a file here, unless the environment variable ``GATEDRNN_GRADEBOOK`` names another database, such as
``postgresql://user@host/name``.
"""

import os

from gatedrnn.practice.classroom.plugin import plug_in

c = get_config()  # noqa: F821 – nbgrader puts it here

c.CourseDirectory.course_id = "machines-with-memory"
if os.environ.get("GATEDRNN_GRADEBOOK"):
    c.CourseDirectory.db_url = os.environ["GATEDRNN_GRADEBOOK"]
plug_in(c)
