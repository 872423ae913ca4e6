"""A URI says where a gallery in Milvus is, and never a secret."""

import pytest

from nfl_keras.errors import UserError
from nfl_keras.gallery.storage.folder.gallery_folder import GalleryFolder
from nfl_keras.gallery.storage.milvus.address import parse_address
from nfl_keras.gallery.storage.milvus.milvus_store import MilvusStore
from nfl_keras.gallery.storage.open_store import open_store


def test_a_server_has_the_usual_port_and_may_have_another():
    address = parse_address("milvus://search.example/flowers?database=shop")
    assert (address.server, address.collection) == ("http://search.example:19530", "flowers")
    assert (address.database, address.is_embedded) == ("shop", False)
    assert parse_address("milvus://[::1]:19531/flowers?tls=yes").server == "https://[::1]:19531"


def test_three_slashes_name_a_file():
    address = parse_address("milvus:///home/me/my%20galleries.db/flowers")
    assert (address.server, address.collection) == ("/home/me/my galleries.db", "flowers")
    assert address.is_embedded


def test_galleries_of_one_server_have_folders_of_their_own(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    uris = ["milvus://a/x", "milvus://a/y", "milvus://b/x", "milvus://a/x?database=other"]
    folders = {parse_address(uri).work for uri in uris}
    assert len(folders) == 4
    assert {folder.parent for folder in folders} == {tmp_path / "nfl_keras"}


def test_the_token_is_read_from_a_file_or_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("MILVUS_TOKEN", "root:Milvus")
    assert parse_address("milvus://a/x").token() == "root:Milvus"
    (tmp_path / "token").write_text("secret\n")
    address = parse_address(f"milvus://a/x?token-file={tmp_path / 'token'}")
    assert address.token() == "secret"
    assert address.name == "milvus://a/x"
    with pytest.raises(UserError, match="cannot be read from '/nowhere'"):
        parse_address("milvus://a/x?token-file=/nowhere").token()


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("milvus://a", "is no gallery in Milvus"),
        ("milvus://a/b/c", "is no gallery in Milvus"),
        ("milvus:///flowers", "is no gallery in Milvus"),
        ("milvus://a/x-y", "is no gallery in Milvus"),
        ("milvus://a/x__rows_1", "is no gallery in Milvus"),
        ("milvus:///tmp/galleries/x", "ends in .db"),
        ("milvus://a/x?tls=no", "options of 'milvus://a/x' are not understood"),
        ("milvus://a/x?token=secret", "options of 'milvus://a/x' are not understood"),
        ("milvus://root:secret@a/x", "holds a password"),
    ],
)
def test_other_uris_are_refused_without_a_secret(uri, message):
    with pytest.raises(UserError, match=message) as refused:
        parse_address(uri)
    assert "secret" not in str(refused.value)


def test_a_path_is_a_folder(tmp_path):
    assert isinstance(open_store(str(tmp_path)), GalleryFolder)
    assert isinstance(open_store("milvus:///a.db/x"), MilvusStore)
