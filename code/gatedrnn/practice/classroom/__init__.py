"""The exercises in a class: nbgrader's course, gradebook and formgrader, with marks made by this package.

nbgrader is an extra of the package, ``gatedrnn[classroom]``; nothing else imports it.
"""
