# u32 a
def program(a):
    events.emit(**a)


# refused:
# unpacked_keywords.py:3:5: '**' is not allowed in kernel-side code
#   events.emit(**a)
#   ^^^^^^^^^^^^^^^^
