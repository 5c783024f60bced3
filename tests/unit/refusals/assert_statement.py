# u32 a
def program(a):
    assert a


# refused:
# assert_statement.py:3:5: 'assert' is not allowed in kernel-side code
#   assert a
#   ^^^^^^^^
