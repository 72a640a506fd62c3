"""Side-by-side measurements: the product against a floor that does the same work bare, in the same run.

`python -m bench [name ...] [--quick] [--json FILE]`. One module a measurement, each with `measure(options)`.
"""
