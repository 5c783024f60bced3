# u32 a
def program(a):
    n = named.lookup(a)
    if n:
        n.text = "twelve bytes"


# refused:
# text_too_long_for_field.py:5:9: the text has 12 bytes, u8[12] takes 11
#   n.text = "twelve bytes"
#   ^^^^^^
