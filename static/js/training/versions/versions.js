/* The models page: all versions and running imports. */
import { watchTrainings } from "../../shared/feed.js";
import { hearOfImport, importsAreActive, reloadImports } from "./imports.js";
import { refresh } from "./promotion.js";

watchTrainings({
  waiting: importsAreActive,
  async reload() {
    await reloadImports();
    await refresh(); // on the first connection too: an import may have ended since the page was rendered
  },
  onEvent(event) {
    if (event.type === "models.changed") refresh().catch(() => {});
    else hearOfImport(event);
  },
});
