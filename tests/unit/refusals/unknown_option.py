def program():
    return Settings.limitt


# refused:
# unknown_option.py:2:12: the Settings has no 'limitt'
#   return Settings.limitt
#          ^^^^^^^^^^^^^^^
#   hint: it has limit
