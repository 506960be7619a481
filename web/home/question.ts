// A question before something that cannot be taken back.
import { byId, showDialog } from "./element";

/// Whether the answer is `yes`, which is what its button says: "Delete". One at a time.
export function ask(question: string, yes: string): Promise<boolean> {
  const dialog = byId<HTMLDialogElement>("question-dialog");
  byId("question").textContent = question;
  const button = byId<HTMLButtonElement>("question-yes");
  button.textContent = yes;
  dialog.returnValue = "";
  showDialog(dialog, byId("page"));
  return new Promise((answer) => {
    const closed = () => {
      if (dialog.open) return;  // that of the question before
      dialog.removeEventListener("close", closed);
      byId("question").textContent = "";
      answer(dialog.returnValue === "yes");
    };
    dialog.addEventListener("close", closed);
  });
}

byId("question-yes").addEventListener("click", () => byId<HTMLDialogElement>("question-dialog").close("yes"));
byId("question-no").addEventListener("click", () => byId<HTMLDialogElement>("question-dialog").close(""));
