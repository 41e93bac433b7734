"""Asking an endpoint one question and timing the answer.

Owns images, the measuring transport and the serving protocols (dialects). It must not
know what an answer is worth, who stores it or who looks at it.
"""
