/* Video frames as JPEG, small enough to send many per second. */

/** Longest side in pixels: faces are found well at this size, and a frame is about 40 KB. */
const SIDE = 640;
const QUALITY = 0.8;

export class FrameCapture {
  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.video = video;
    this.canvas = document.createElement("canvas");
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.quality = QUALITY;
    this.busy = false;
  }

  /**
   * Call back for each new video frame while the page is visible.
   * @param {(now: number) => void} onPicture
   */
  watch(onPicture) {
    const { video } = this;
    const next = video.requestVideoFrameCallback
      ? (/** @type {VideoFrameRequestCallback} */ callback) => video.requestVideoFrameCallback(callback)
      : (/** @type {FrameRequestCallback} */ callback) => setTimeout(() => requestAnimationFrame(callback), 15);
    const loop = () => {
      next(loop);
      onPicture(performance.now());
    };
    next(loop);
  }

  /**
   * The current video frame.
   * @param {number} limit bytes
   * @returns {Promise<ArrayBuffer|null>} null while another is being encoded, or if it is too large
   */
  async take(limit) {
    const { videoWidth, videoHeight } = this.video;
    if (this.busy || !videoWidth) return null;
    this.busy = true;
    try {
      const scale = Math.min(1, SIDE / Math.max(videoWidth, videoHeight));
      const width = Math.round(videoWidth * scale);
      const height = Math.round(videoHeight * scale);
      if (this.canvas.width !== width) this.canvas.width = width;
      if (this.canvas.height !== height) this.canvas.height = height;
      this.context?.drawImage(this.video, 0, 0, width, height);
      const blob = await new Promise((resolve) => this.canvas.toBlob(resolve, "image/jpeg", this.quality));
      if (!blob) return null;
      if (blob.size <= limit) return await blob.arrayBuffer();
      this.quality = Math.max(0.3, this.quality - 0.1);
      return null;
    } finally {
      this.busy = false;
    }
  }
}
