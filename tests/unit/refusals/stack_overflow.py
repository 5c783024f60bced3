# u32 a
def program(a):
    p = bigs.lookup(a)
    if p:
        large.update(Big(bytes=p.bytes), Big(bytes=p.bytes))


# refused:
# the program needs 648 bytes of stack; it has 512
#   note: record Big: 320 bytes
#   note: record Big: 320 bytes
#   note: key: 8 bytes
#   hint: make records and keys smaller
