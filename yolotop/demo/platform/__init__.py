"""A stand-in for Ultralytics Platform: its routes, limits, quirks and lives.

Owns what the Platform is known to answer, so that everything that speaks to it can be
tried without an account. It must not know who asks. Behind each quirk stands a captured
answer or the published contract; where both are silent, the choice is said.

===============================  =====================================================
quirk                            where
===============================  =====================================================
slugs in paths, dead old routes  ``routes``: ids and ``/start``, ``/stop`` are 404
absent until the first ready     ``world``: ``serviceUrl``, ``deployedAt``
40 to 60 s until ready           ``world``: ``Deployment.provisioning_s``
a stop that is done at once      ``world``: 200 ``stopped``; ``slow_stop`` rolls, 202
a second stop is a 400           ``world``: ``Refused``
a start that fails               ``world``: deploying → stopped, with a message
a ping that wakes                ``world``: ``Deployment.ping``
unhealthy is a 200               ``routes``: health of a stopped one
three shapes of metrics          ``figures``
empty series of an idle one      ``figures``
DEFAULT, ``{}``, tracebacks      ``lines``
a token with an empty page       ``lines``: ``Lines.page``
a filter without DEFAULT         ``lines``: ``FILTERS``
limits by key and category       ``limits``
predict on a stopped one: 400    ``routes``
a nested 413                     ``routes``
===============================  =====================================================
"""
