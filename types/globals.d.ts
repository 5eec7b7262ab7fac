/* What pages load before their modules, the events they send themselves, and what the server's own
   descriptions of the API and of the live protocol call things. The generated types are named here
   alone: Django rewrites every import in a script, also one in a comment, and these are not served. */
import type { components } from "./generated/api";
import type * as live from "./generated/live";

declare global {
  interface Window {
    /** Chart.js, which each page with charts loads as a classic script; its options are looked up by name. */
    Chart: new (canvas: HTMLCanvasElement, config: any) => any;
    /** uPlot, which draws a hundred thousand points as quickly as Chart.js a thousand. */
    uPlot: new (options: any, data: any, place: HTMLElement) => any;
    /** tus-js-client: uploads in pieces. */
    tus: { Upload: new (file: Blob | { read(): Promise<any> }, options: any) => any };
  }
  interface DocumentEventMap {
    themechange: Event;
    themechoice: CustomEvent<string>;
  }
  type ApiSchemas = components["schemas"];
  namespace LiveProtocol {
    type FrameFaces = live.FrameFaces;
    type FrameResult = live.FrameResult;
    type FrameSkipped = live.FrameSkipped;
    type FrameError = live.FrameError;
    type SessionCreated = live.SessionCreated;
    type SessionUpdated = live.SessionUpdated;
    type SessionClosed = live.SessionClosed;
  }
}
