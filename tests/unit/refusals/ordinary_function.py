# u32 a
def program(a):
    return ordinary(a)


# refused:
# ordinary_function.py:3:12: ordinary() is an ordinary Python function
#   return ordinary(a)
#          ^^^^^^^^^^^
#   hint: put @bpf.inline above its 'def' to call it from kernel-side code
