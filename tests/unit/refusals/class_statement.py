def program():
    class Inner:
        pass


# refused:
# class_statement.py:2:5: a class is not allowed in kernel-side code
#   class Inner:
#   ^^^^^^^^^^^^
