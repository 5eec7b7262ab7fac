/* What pages load before their modules, and the events they send themselves. */
import type { Chart } from "chart.js";

declare global {
  interface Window {
    Chart: typeof Chart;
  }
  interface DocumentEventMap {
    themechange: Event;
  }
}
