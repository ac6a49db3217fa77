"""The collector: what runs on a developer's machine and sends evidence. It needs no server package.

`hook` keeps what an agent's edit call did, `flush` sends it, `backfill` reads what transcripts
still hold. Nothing leaves but what `ghapp.wire` names.
"""
