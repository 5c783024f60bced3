def program():
    sizes.record()


# refused:
# record_nothing.py:2:5: record() takes the value to count
#   sizes.record()
#   ^^^^^^^^^^^^^^
