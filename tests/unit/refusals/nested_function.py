def program():
    def inner():
        return 1
    return inner()


# refused:
# nested_function.py:2:5: a nested function is not allowed in kernel-side code
#   def inner():
#   ^^^^^^^^^^^^
