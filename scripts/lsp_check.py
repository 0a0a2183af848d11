"""One session of a real client with `epo-run lsp`: pytest-lsp starts it, and asks what an editor asks. Called by scripts/lsp-check.sh."""

import os
import pathlib
import sys

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILE = ROOT / "pipelines" / "household" / "epo_ppo.epo"
# One equation of the recipe is as its paper has it: nothing is learned from it.
KNOWN = ["W0301"]
URI = FILE.as_uri()


@pytest_lsp.fixture(config=ClientServerConfig(server_command=[os.environ["PROGRAM"], "lsp"]))
async def client(lsp_client: LanguageClient):
    capabilities = pytest_lsp.client_capabilities("visual-studio-code")
    await lsp_client.initialize_session(types.InitializeParams(capabilities=capabilities, root_uri=ROOT.as_uri()))
    yield
    await lsp_client.shutdown_session()


def place(text, words, inside=0):
    at = text.index(words) + inside
    line = text.count("\n", 0, at)
    return types.Position(line=line, character=at - (text.rfind("\n", 0, at) + 1))


def document():
    return types.TextDocumentIdentifier(uri=URI)


@pytest.mark.asyncio
async def test_a_session(client: LanguageClient):
    text = FILE.read_text()
    client.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem(uri=URI, language_id="epo", version=1, text=text))
    )
    await client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    assert [d.code for d in client.diagnostics[URI]] == KNOWN

    broken = text.replace("trajectory_mean(entropy)", "trajectory_mean(entrpy)", 1)
    client.text_document_did_change(
        types.DidChangeTextDocumentParams(
            types.VersionedTextDocumentIdentifier(uri=URI, version=2), [types.TextDocumentContentChangeWholeDocument(text=broken)]
        )
    )
    await client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    found = client.diagnostics[URI]
    assert [d.code for d in found][0] == "E0101" and "did you mean `entropy`?" in found[0].message, found

    actions = await client.text_document_code_action_async(
        types.CodeActionParams(document(), found[0].range, types.CodeActionContext(diagnostics=[found[0]]))
    )
    assert actions[0].edit.changes[URI][0].new_text == "entropy"

    client.text_document_did_change(
        types.DidChangeTextDocumentParams(
            types.VersionedTextDocumentIdentifier(uri=URI, version=3), [types.TextDocumentContentChangeWholeDocument(text=text)]
        )
    )
    await client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    assert [d.code for d in client.diagnostics[URI]] == KNOWN

    at = place(text, "explore - beta", 2)
    hover = await client.text_document_hover_async(types.HoverParams(document(), at))
    assert "a term of a loss" in hover.contents.value
    definition = await client.text_document_definition_async(types.DefinitionParams(document(), at))
    assert definition.uri == URI and definition.range.start == place(text, "explore  = ")
    references = await client.text_document_references_async(
        types.ReferenceParams(types.ReferenceContext(include_declaration=True), document(), at)
    )
    assert len(references) >= 2
    edit = await client.text_document_rename_async(types.RenameParams(document(), at, new_name="bonus"))
    assert len(edit.changes[URI]) == len(references)
    completion = await client.text_document_completion_async(types.CompletionParams(document(), at))
    items = completion if isinstance(completion, list) else completion.items
    assert {"explore", "entropy", "mean"} <= {item.label for item in items}
    symbols = await client.text_document_document_symbol_async(types.DocumentSymbolParams(document()))
    assert symbols[0].name == "epo_ppo" and symbols[0].children
    edits = await client.text_document_formatting_async(types.DocumentFormattingParams(document(), types.FormattingOptions(2, True)))
    assert not edits
    folds = await client.text_document_folding_range_async(types.FoldingRangeParams(document()))
    assert len(folds) > 5
    whole = types.Range(types.Position(0, 0), types.Position(999, 0))
    hints = await client.text_document_inlay_hint_async(types.InlayHintParams(document(), whole))
    assert any(hint.label == ": batch" for hint in hints)
    call = place(text, "corridor(entropy, ", len("corridor(entropy, "))
    help = await client.text_document_signature_help_async(types.SignatureHelpParams(document(), call))
    assert help.signatures[0].label.startswith("corridor(x")
    found = await client.workspace_symbol_async(types.WorkspaceSymbolParams(query="epo_ppo"))
    assert any(symbol.name == "epo_ppo" for symbol in found)


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider"]))
