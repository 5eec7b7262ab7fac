/**
 * A frame that could not be looked at.
 */
export interface FrameError {
  type: "frame.error";
  sequence: number | null;
  code:
    | "bad_sequence"
    | "empty_frame"
    | "not_an_image"
    | "truncated_image"
    | "too_many_pixels"
    | "timeout"
    | "unavailable"
    | "analysis_failed";
  message: string;
}

/**
 * The faces of a frame.
 */
export interface FrameResult {
  type: "frame.result";
  sequence: number;
  width: number;
  height: number;
  model_version: number;
  faces: {
    track: number;
    box: {
      x: number;
      y: number;
      width: number;
      height: number;
    };
    score: number;
    landmarks: {
      /**
       * @minItems 2
       * @maxItems 2
       */
      left_eye: [number, number];
      /**
       * @minItems 2
       * @maxItems 2
       */
      right_eye: [number, number];
      /**
       * @minItems 2
       * @maxItems 2
       */
      nose: [number, number];
      /**
       * @minItems 2
       * @maxItems 2
       */
      mouth_left: [number, number];
      /**
       * @minItems 2
       * @maxItems 2
       */
      mouth_right: [number, number];
    };
    probabilities: {
      angry: number;
      disgust: number;
      fear: number;
      happy: number;
      sad: number;
      surprise: number;
      neutral: number;
    };
    smoothed: {
      angry: number;
      disgust: number;
      fear: number;
      happy: number;
      sad: number;
      surprise: number;
      neutral: number;
    };
    emotion: "angry" | "disgust" | "fear" | "happy" | "sad" | "surprise" | "neutral";
  }[];
  milliseconds: {
    queue: number;
    decode: number;
    detect: number;
    classify: number;
    total: number;
  };
}

/**
 * A frame that was not looked at.
 */
export interface FrameSkipped {
  type: "frame.skipped";
  sequence: number;
  reason: "newer_frame" | "too_fast";
}

/**
 * Ends the session.
 */
export interface SessionClose {
  type: "session.close";
}

/**
 * The summary at the end.
 */
export interface SessionClosed {
  type: "session.closed";
  seconds: number;
  frames: {
    received: number;
    analyzed: number;
    skipped: number;
    failed: number;
  };
  tracks: number;
  kept_url: string | null;
}

/**
 * The first message of the server.
 */
export interface SessionCreated {
  type: "session.created";
  protocol: 1;
  session: string;
  limits: {
    frame_bytes: number;
    pixels: number;
    rate: number;
    sessions_per_user: number;
    idle_seconds: number;
    formats: string[];
  };
  settings: {
    rate: number;
    min_face: number;
    smoothing: number;
    keep: boolean;
  };
}

/**
 * A text message that changed nothing.
 */
export interface SessionError {
  type: "session.error";
  code: "bad_message" | "bad_setting" | "keep_failed";
  message: string;
}

/**
 * Changes settings; each is optional.
 */
export interface SessionUpdate {
  type: "session.update";
  rate?: number;
  min_face?: number;
  smoothing?: number;
  keep?: boolean;
}

/**
 * All settings after a change.
 */
export interface SessionUpdated {
  type: "session.updated";
  settings: {
    rate: number;
    min_face: number;
    smoothing: number;
    keep: boolean;
  };
  kept_url: string | null;
}
