"""A stand-in for Ultralytics Platform: its routes, limits, quirks and lives.

Owns what the Platform is known to answer, so that everything that speaks to it can be
tried without an account. It must not know who asks. Behind each quirk stands a captured
answer or the published contract; where both are silent, the choice is said. The numbers
are those of the sections that each test of a quirk names.

====  ============================  ==================================================
§     quirk                         where
====  ============================  ==================================================
0     slugs, dead old routes: 404   ``routes``: ids and ``/start``, ``/stop``
0     no envelope, a bare error     ``routes``
1.1   401, 403, teams always []     ``routes``, ``workspace``
1.2   one page, 20, 100, a total    ``workspace.listed``
1.2   no key for a public model     ``workspace.public_list``
1.2   absent until the first ready  ``deployment``: ``serviceUrl``, ``deployedAt``
1.2   40 to 60 s until ready        ``deployment``: ``provisioning_s``
1.2   closed schemas, 409, a quota  ``changes.create``
1.2   exactly one change            ``changes.change``
1.2   a stop that is done at once   ``deployment``: 200; ``slow_stop`` rolls, 202
1.2   a second stop is a 400        ``deployment``: ``Refused``
1.2   a rename changes the slug     ``changes``, ``world.rename``: 409 where taken
1.2   a ping that wakes             ``deployment.ping``
1.2   unhealthy is a 200            ``deployment.ping``: ``status`` may be absent
1.2   three shapes of metrics       ``figures``
1.2   empty series of an idle one   ``figures``, ``traffic``
1.2   DEFAULT, ``{}``, tracebacks   ``lines``
1.2   a token with an empty page    ``lines``: a place, so that pages do not overlap
1.2   a filter without DEFAULT      ``lines``: ``FILTERS``
1.2   predict on a stopped one: 400 ``routes``
1.2   the bound key, looked at live ``routes``: 403, and 401 of a revoked one
1.2   a nested 413                  ``routes``
1.3   limits by key and category    ``limits``
1.4   a request id                  ``routes``
2.0   an address that stays         ``deployment.address``
2.3   both function times in s      ``routes``
2.4   a cold start: 429 and lines   ``deployment.wait_s``, ``lines.start``
2.4   pings and their 429 count     ``deployment.record``
3.3   replacing while it serves     ``deployment.roll``
3.3   a start that fails: stopped   ``deployment``: deploying → stopped, a message
====  ============================  ==================================================
"""
