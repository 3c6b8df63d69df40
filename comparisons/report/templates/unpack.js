"use strict";
// The drawing library as the page carries it: LZMA (Pavlov's format, with lc 3, lp 0, pb 0), in base 85.
const packed = (() => {
  const ALPHABET =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%:()*+-;,=.?@^_`{|}~";

  // Base 85: five characters are four bytes, the most significant first.
  function bytesOf(text) {
    const digit = new Uint8Array(128);
    for (let i = 0; i < 85; i++) digit[ALPHABET.charCodeAt(i)] = i;
    const bytes = new Uint8Array((text.length / 5) * 4);
    const words = new DataView(bytes.buffer);
    for (let i = 0, at = 0; i < text.length; i += 5, at += 4) {
      let word = 0;
      for (let k = 0; k < 5; k++) word = word * 85 + digit[text.charCodeAt(i + k)];
      words.setUint32(at, word);
    }
    return bytes;
  }

  // A range coder: each bit is read with the probability (of 0, of 2048) that the bits before it left there.
  function coder(input, start) {
    let at = start + 1; // the first byte is 0
    let range = 0xffffffff;
    let code = 0;
    for (let i = 0; i < 4; i++) code = ((code << 8) | input[at++]) >>> 0;
    const normalize = () => {
      if (range >= 0x1000000) return;
      range = (range << 8) >>> 0;
      code = ((code << 8) | input[at++]) >>> 0;
    };
    const bit = (probabilities, i) => {
      const bound = (range >>> 11) * probabilities[i];
      const isOne = code >= bound;
      if (isOne) {
        range -= bound;
        code -= bound;
        probabilities[i] -= probabilities[i] >>> 5;
      } else {
        range = bound;
        probabilities[i] += (2048 - probabilities[i]) >>> 5;
      }
      normalize();
      return isOne ? 1 : 0;
    };
    // n bits by a tree of probabilities that begins at `offset`: the highest bit first, or the lowest.
    const tree = (probabilities, offset, n) => {
      let node = 1;
      for (let i = 0; i < n; i++) node = (node << 1) | bit(probabilities, offset + node);
      return node - (1 << n);
    };
    const reverse = (probabilities, offset, n) => {
      let node = 1;
      let value = 0;
      for (let i = 0; i < n; i++) {
        const one = bit(probabilities, offset + node);
        node = (node << 1) | one;
        value |= one << i;
      }
      return value;
    };
    const direct = (n) => {
      let value = 0;
      for (let i = 0; i < n; i++) {
        range >>>= 1;
        const one = code >= range ? 1 : 0;
        if (one) code -= range;
        value = (value << 1) | one;
        normalize();
      }
      return value;
    };
    return { bit, tree, reverse, direct };
  }

  const fresh = (n) => new Uint16Array(n).fill(1024);

  // The length of a match: 2 to 9, 10 to 17, or 18 to 273.
  function lengths({ bit, tree }) {
    const [choice, low, middle, high] = [fresh(2), fresh(8), fresh(8), fresh(256)];
    return () => {
      if (!bit(choice, 0)) return 2 + tree(low, 0, 3);
      return bit(choice, 1) ? 18 + tree(high, 0, 8) : 10 + tree(middle, 0, 3);
    };
  }

  // Literals and matches; `state` says of which kind the last ones were, rep0 how far back the last match lay.
  function decoded(input, length) {
    const read = coder(input, 13); // behind the header: properties, size of the dictionary, size of the text
    const { bit } = read;
    const out = new Uint8Array(length);
    const literals = fresh(8 * 0x300);
    const [isMatch, isRep, isRep0, isRep1, isRep2, isLong] = Array.from({ length: 6 }, () => fresh(12));
    const [slots, special, align] = [fresh(4 * 64), fresh(115), fresh(16)];
    const [matchLength, repLength] = [lengths(read), lengths(read)];
    let [state, rep0, rep1, rep2, rep3, at] = [0, 0, 0, 0, 0, 0];

    function literal() {
      const offset = ((at ? out[at - 1] : 0) >> 5) * 0x300;
      let symbol = 1;
      if (state >= 7) {
        let match = out[at - rep0 - 1];
        while (symbol < 0x100) {
          const expected = (match >> 7) & 1;
          match <<= 1;
          const found = bit(literals, offset + ((1 + expected) << 8) + symbol);
          symbol = (symbol << 1) | found;
          if (found !== expected) break;
        }
      }
      while (symbol < 0x100) symbol = (symbol << 1) | bit(literals, offset + symbol);
      out[at++] = symbol;
      state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
    }

    function distance(n) {
      const slot = read.tree(slots, Math.min(n - 2, 3) * 64, 6);
      if (slot < 4) return slot;
      const bits = (slot >> 1) - 1;
      const base = (2 | (slot & 1)) << bits;
      if (slot < 14) return base + read.reverse(special, base - slot, bits);
      return base + (read.direct(bits - 4) << 4) + read.reverse(align, 0, 4);
    }

    // How long a match at one of the last four distances is; 1 for a single byte.
    function again() {
      if (!bit(isRep0, state)) {
        if (!bit(isLong, state)) {
          state = state < 7 ? 9 : 11;
          return 1;
        }
      } else if (!bit(isRep1, state)) {
        [rep0, rep1] = [rep1, rep0];
      } else if (!bit(isRep2, state)) {
        [rep0, rep1, rep2] = [rep2, rep0, rep1];
      } else {
        [rep0, rep1, rep2, rep3] = [rep3, rep0, rep1, rep2];
      }
      const n = repLength();
      state = state < 7 ? 8 : 11;
      return n;
    }

    function match() {
      const n = matchLength();
      [rep1, rep2, rep3] = [rep0, rep1, rep2];
      rep0 = distance(n);
      state = state < 7 ? 7 : 10;
      return n;
    }

    while (at < length) {
      if (!bit(isMatch, state)) {
        literal();
        continue;
      }
      const n = bit(isRep, state) ? again() : match();
      for (const end = Math.min(at + n, length); at < end; at++) out[at] = out[at - rep0 - 1];
    }
    return out;
  }

  return { text: (element) => new TextDecoder().decode(decoded(bytesOf(element.textContent), Number(element.dataset.bytes))) };
})();
