"""Where do two implementations part, and is it rounding or a mistake?

trace         the tensors of one pass and of a few steps, in the order in which they are computed
chain         every tensor judged given the inputs that the implementation itself recorded
intervals     the update rules, on intervals that hold every correct rounding
alternatives  what else might have been computed: the causes
vectors       problems and exact answers as files, for programs in any language
"""
