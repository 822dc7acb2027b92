"""The forms that a frozen prompt can leave in, one file each.

Every module has `export(artifact, tokenizer) -> Export`; `burnish.export` picks one and writes:

    made = text.export(artifact, lambda: load_tokenizer(artifact.model))
    made.files[""]  # the text, or, in formats of several files, one entry a file name
    made.notes      # what the reader of it has to know
"""
