// Starts `epo-run lsp` for files of the language; everything else is the server's.

const { commands, window, workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

function make() {
  const settings = workspace.getConfiguration("epo");
  const server = { command: settings.get("path"), args: [...settings.get("arguments"), "lsp"] };
  const watched = workspace.createFileSystemWatcher("**/*.epo");
  return new LanguageClient("epo", "epo", server, {
    documentSelector: [{ language: "epo" }],
    synchronize: { fileEvents: watched },
  });
}

async function start() {
  client = make();
  try {
    await client.start();
  } catch (error) {
    window.showErrorMessage(`epo-run does not start: ${error.message}. The setting epo.path says where it lies.`);
  }
}

exports.activate = async (context) => {
  context.subscriptions.push(
    commands.registerCommand("epo.restart", async () => {
      await client?.stop();
      await start();
    }),
  );
  await start();
};

exports.deactivate = () => client?.stop();
