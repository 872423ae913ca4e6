from nfl_keras.servable import status


def test_every_status_has_a_message_and_a_code_of_its_own():
    codes = {name: code for name, code in vars(status).items() if isinstance(code, int)}
    assert sorted(codes.values()) == list(range(len(codes)))
    assert status.MESSAGES.keys() == set(codes.values())


def test_what_export_client_and_server_agree_on_is_imported_without_tensorflow(
    in_a_fresh_process,
):
    rooms = ("status", "signature_names", "version_folder")
    imports = [f"import nfl_keras.servable.{room}" for room in rooms]
    imported = in_a_fresh_process(*imports, "import sys", "print(*sys.modules)").split()
    assert "nfl_keras.servable.version_folder" in imported
    assert not {"keras", "tensorflow"} & set(imported)
