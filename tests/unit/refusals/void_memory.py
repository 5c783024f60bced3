# void *p
def program(p):
    return p[0]


# refused:
# void_memory.py:3:12: memory of unknown type cannot be read
#   return p[0]
#          ^^^^
