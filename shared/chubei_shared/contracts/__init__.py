"""The shapes that cross the wire, and the httpx clients; one file a subject."""
