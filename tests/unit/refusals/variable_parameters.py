def program(*values):
    return 1


# refused:
# variable_parameters.py:1:1: only plain parameters are allowed in kernel-side code
#   def program(*values):
#   ^^^^^^^^^^^^^^^^^^^^^
