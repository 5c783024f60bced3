def program():
    if 'a' < 'b':
        return 1


# refused:
# text_options_order.py:2:8: the text 'a' and the text 'b' have no order
#   if 'a' < 'b':
#      ^^^^^^^^^
