# u32 a
def program(a):
    n = named.lookup(a)
    if n:
        n.text = None


# refused:
# object_in_text.py:5:9: None does not fit into u8[12]
#   n.text = None
#   ^^^^^^
