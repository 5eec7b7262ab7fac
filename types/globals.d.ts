/* What pages load before their modules, and the events they send themselves. */

declare global {
  interface Window {
    /** Chart.js, which each page with charts loads as a classic script; its options are looked up by name. */
    Chart: new (canvas: HTMLCanvasElement, config: any) => any;
  }
  interface DocumentEventMap {
    themechange: Event;
    themechoice: CustomEvent<string>;
  }
}

export {};
