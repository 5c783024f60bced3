# u32 a
def program(a):
    return bpf.has_field(a, 'pid')


# refused:
# type_tested_is_no_text.py:3:12: type must be text in quotes
#   return bpf.has_field(a, 'pid')
#          ^^^^^^^^^^^^^^^^^^^^^^^
