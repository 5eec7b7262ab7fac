/* The page of all model versions, and of the files that are about to become one. */
import { watchTrainings } from "./feed.js";
import { hearOfImport, importsAreActive, reloadImports } from "./training-imports.js";
import { refresh } from "./training-promotion.js";

let isFirst = true;

watchTrainings({
  waiting: importsAreActive,
  async reload() {
    await reloadImports();
    if (!isFirst) await refresh(); // when it connects first, the page is as the server gave it
    isFirst = false;
  },
  onEvent(event) {
    if (event.type === "models.changed") refresh().catch(() => {});
    else hearOfImport(event);
  },
});
