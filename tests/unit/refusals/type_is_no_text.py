# u64 a
def program(a):
    return bpf.cast(a, a)


# refused:
# type_is_no_text.py:3:12: type must be text in quotes
#   return bpf.cast(a, a)
#          ^^^^^^^^^^^^^^
