"""The SDK: records what an application says to models and sends it to a server. Imports nothing of the server."""
