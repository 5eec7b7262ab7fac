/* The page of all model versions, and of the files that are about to become one. */
import { watchTrainings } from "../../shared/feed.js";
import { hearOfImport, importsAreActive, reloadImports } from "./imports.js";
import { refresh } from "./promotion.js";

watchTrainings({
  waiting: importsAreActive,
  async reload() {
    await reloadImports();
    await refresh(); // also when it connects first: an import may have ended since the server gave the page
  },
  onEvent(event) {
    if (event.type === "models.changed") refresh().catch(() => {});
    else hearOfImport(event);
  },
});
