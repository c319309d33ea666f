"""The graded exercises: checks that answer at once, and marks that cannot be talked into.

In a notebook::

    from gatedrnn.practice import check

    check("time_constant", time_constant)

The same descriptions of items (:mod:`gatedrnn.practice.sets`) serve the check in the notebook and the marks
of ``gatedrnn grade``.
"""

from gatedrnn.practice.checking import CheckError, check

__all__ = ["CheckError", "check"]
