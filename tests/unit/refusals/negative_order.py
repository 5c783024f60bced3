# u32 a
def program(a):
    return a > -1


# refused:
# negative_order.py:3:12: '>' compares u32, which is never negative, with -1
#   return a > -1
#          ^^^^^^
#   hint: bpf.s64(...) around the other side gives it a sign
