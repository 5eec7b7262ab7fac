/* Pictures as the networks read them, and sampling from them as OpenCV does it in the engine. */

/**
 * @typedef {Object} Pixels
 * @property {Uint8ClampedArray} data RGB or gray, row by row
 * @property {number} width
 * @property {number} height
 * @property {number} channels 3 or 1
 */

/**
 * @param {number} width
 * @param {number} height
 * @param {number} channels
 * @returns {Pixels} all black
 */
export const blank = (width, height, channels) => ({
  data: new Uint8ClampedArray(width * height * channels), width, height, channels,
});

/**
 * A canvas's picture without its alpha channel.
 * @param {{data: Uint8ClampedArray, width: number, height: number}} image RGBA
 * @returns {Pixels}
 */
export function fromCanvas({ data, width, height }) {
  const picture = blank(width, height, 3);
  const target = picture.data;
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    target[to] = data[from];
    target[to + 1] = data[from + 1];
    target[to + 2] = data[from + 2];
  }
  return picture;
}

/**
 * ITU-R 601 luma.
 * @param {Pixels} picture RGB
 * @returns {Pixels}
 */
export function toGray({ data, width, height }) {
  const gray = blank(width, height, 1);
  for (let at = 0, from = 0; at < gray.data.length; at += 1, from += 3) {
    gray.data[at] = (9798 * data[from] + 19235 * data[from + 1] + 3735 * data[from + 2] + 16384) >> 15;
  }
  return gray;
}

/**
 * Averages whole blocks of pixels; a rest at the right or lower edge is left out.
 * @param {Pixels} picture RGB, at least a block wide and high
 * @param {number} block side in pixels
 * @returns {Pixels}
 */
export function reduce(picture, block) {
  if (block === 2) return halve(picture);
  const { data, width, height } = picture;
  const small = blank(Math.floor(width / block), Math.floor(height / block), 3);
  const row = 3 * width;
  let to = 0;
  for (let y = 0; y < small.height; y += 1) {
    for (let x = 0; x < small.width; x += 1) {
      const corner = y * block * row + 3 * x * block;
      for (let channel = 0; channel < 3; channel += 1, to += 1) {
        let sum = 0;
        for (let dy = 0; dy < block; dy += 1) {
          const from = corner + dy * row + channel;
          for (let dx = 0; dx < block; dx += 1) sum += data[from + 3 * dx];
        }
        small.data[to] = sum / (block * block); // such arrays round, halves to the even neighbor
      }
    }
  }
  return small;
}

/**
 * Half the picture's size.
 * @param {Pixels} picture RGB, at least two pixels wide and high
 * @returns {Pixels}
 */
export function halve({ data, width, height }) {
  const small = blank(width >> 1, height >> 1, 3);
  const target = small.data;
  const row = 3 * width;
  let to = 0;
  for (let y = 0; y < small.height; y += 1) {
    let from = 2 * y * row;
    let below = from + row;
    // Most of the time goes here, so the three channels take no loop of their own.
    for (let x = 0; x < small.width; x += 1, from += 6, below += 6, to += 3) {
      target[to] = (data[from] + data[from + 3] + data[below] + data[below + 3] + 2) >> 2;
      target[to + 1] = (data[from + 1] + data[from + 4] + data[below + 1] + data[below + 4] + 2) >> 2;
      target[to + 2] = (data[from + 2] + data[from + 5] + data[below + 2] + data[below + 5] + 2) >> 2;
    }
  }
  return small;
}

/**
 * Bilinear, like cv2.resize, in the same whole numbers: 2,048 is one.
 * @param {Pixels} picture RGB
 * @param {number} width
 * @param {number} height
 * @returns {Pixels}
 */
export function resize(picture, width, height) {
  if (picture.width === 2 * width && picture.height === 2 * height) return halve(picture);
  const target = blank(width, height, 3);
  const { data } = picture;
  const columns = samples(picture.width, width);
  const rows = samples(picture.height, height);
  const row = 3 * picture.width;
  let to = 0;
  for (const { low: top, high: bottom, first: upper, second: lower } of rows) {
    for (const { low: left, high: right, first, second } of columns) {
      for (let channel = 0; channel < 3; channel += 1, to += 1) {
        const [near, far] = [3 * left + channel, 3 * right + channel];
        const above = data[top * row + near] * first + data[top * row + far] * second;
        const below = data[bottom * row + near] * first + data[bottom * row + far] * second;
        target.data[to] = (((upper * (above >> 4)) >> 16) + ((lower * (below >> 4)) >> 16) + 2) >> 2;
      }
    }
  }
  return target;
}

/**
 * Between which two pixels each target pixel lies, and the weights of both.
 * @param {number} from
 * @param {number} to
 */
function samples(from, to) {
  return Array.from({ length: to }, (_, at) => {
    const place = Math.min(Math.max((at + 0.5) * from / to - 0.5, 0), from - 1);
    const low = Math.floor(place);
    const share = place - low;
    return { low, high: Math.min(low + 1, from - 1), first: round(2048 * (1 - share)), second: round(2048 * share) };
  });
}

/**
 * Samples a square out of a picture, like cv2.warpAffine with bilinear interpolation.
 * @param {Pixels} picture RGB
 * @param {number[]} map the six numbers of the affine map from the square's pixels to the picture's
 * @param {number} side of the square
 * @param {number|null} outside the gray beyond the picture; null repeats its edge
 * @param {Uint8ClampedArray} target which rounds what it is given
 */
export function warp({ data, width, height }, map, side, outside, target) {
  const [a, b, c, d, e, f] = map.map(Math.fround);
  const below = 3 * width; // from a pixel to the one under it
  let to = 0;
  for (let row = 0; row < side; row += 1) {
    for (let column = 0; column < side; column += 1) {
      // In 32 bits, like OpenCV: a pixel's place decides which others it is made of.
      const x = Math.fround(a * column + Math.fround(b * row + c));
      const y = Math.fround(d * column + Math.fround(e * row + f));
      const left = Math.floor(x);
      const top = Math.floor(y);
      const [across, down] = [x - left, y - top];
      if (left >= 0 && top >= 0 && left + 1 < width && top + 1 < height) {
        let from = 3 * (top * width + left);
        for (let channel = 0; channel < 3; channel += 1, from += 1, to += 1) {
          const upper = mix(data[from], data[from + 3], across);
          const lower = mix(data[from + below], data[from + below + 3], across);
          target[to] = mix(upper, lower, down);
        }
        continue;
      }
      for (let channel = 0; channel < 3; channel += 1, to += 1) {
        const upper = mix(at(left, top, channel), at(left + 1, top, channel), across);
        const lower = mix(at(left, top + 1, channel), at(left + 1, top + 1, channel), across);
        target[to] = mix(upper, lower, down);
      }
    }
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} channel
   */
  function at(x, y, channel) {
    if (x < 0 || y < 0 || x >= width || y >= height) {
      if (outside !== null) return outside;
      x = Math.min(Math.max(x, 0), width - 1);
      y = Math.min(Math.max(y, 0), height - 1);
    }
    return data[3 * (y * width + x) + channel];
  }
}

/**
 * @param {number} a
 * @param {number} b
 * @param {number} share of b
 */
const mix = (a, b, share) => a + (b - a) * share;

/**
 * Python's rounding: halves go to the even neighbor.
 * @param {number} value
 */
export function round(value) {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
