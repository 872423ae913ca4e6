"""Galleries that are kept in Milvus, a distributed vector database, or in its embedded form."""
