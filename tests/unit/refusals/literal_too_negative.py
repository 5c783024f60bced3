# u8 a
def program(a):
    return a + -1000


# refused:
# literal_too_negative.py:3:12: no type holds both u8 and -1000
#   return a + -1000
#          ^^^^^^^^^
#   hint: bpf.s64(...) around the other side gives it a sign
