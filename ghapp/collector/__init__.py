"""The collector runs on a developer's machine and sends evidence. It needs no server package.

`hook` queues what an agent's edit call did, `flush` sends the queue, `backfill` sends what
transcripts still hold. Only what `ghapp.wire` defines leaves the machine.
"""
