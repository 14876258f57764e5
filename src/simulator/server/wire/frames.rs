//! Where HTTP/2 frames end in a stream of bytes, and the GOAWAY frame (RFC 9113, sections 4.1 and 6.8).

/// Length of a frame's header.
const HEADER: usize = 9;
const GOAWAY: u8 = 7;
/// The largest stream number: every open stream may go on.
const EVERY_STREAM: u32 = 0x7fff_ffff;
pub(super) const NO_ERROR: u32 = 0;

/// Follows the frames that a server sends, from its first byte.
#[derive(Clone, Debug, Default)]
pub(super) struct Frames {
    header: Vec<u8>,
    /// Bytes of the frame's body still to come.
    body: usize,
}

impl Frames {
    /// How many of the bytes to come belong to the frame under way.
    pub(super) fn rest(&self, bytes: &[u8]) -> usize {
        if self.between() { 0 } else { self.clone().one(bytes) }
    }

    /// Takes all of these bytes.
    pub(super) fn follow(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = self.one(bytes);
            bytes = bytes.get(taken..).unwrap_or_default();
        }
    }

    /// Whether a frame may be put in here.
    pub(super) fn between(&self) -> bool {
        self.header.is_empty() && self.body == 0
    }

    /// Takes bytes up to the end of one frame.
    fn one(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        if self.body == 0 {
            let header = bytes.get(..HEADER - self.header.len()).unwrap_or(bytes);
            self.header.extend_from_slice(header);
            taken = header.len();
            let [high, middle, low, _, _, _, _, _, _] = self.header[..] else { return taken };
            self.body = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
            self.header.clear();
        }
        let body = self.body.min(bytes.len() - taken);
        self.body -= body;
        taken + body
    }
}

/// A GOAWAY frame: with `NO_ERROR` for new streams only, else for all.
pub(super) fn goaway(code: u32) -> Vec<u8> {
    let last = if code == NO_ERROR { EVERY_STREAM } else { 0 };
    let mut frame = vec![0, 0, 8, GOAWAY, 0, 0, 0, 0, 0];
    frame.extend_from_slice(&last.to_be_bytes());
    frame.extend_from_slice(&code.to_be_bytes());
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(body: usize) -> Vec<u8> {
        let length = u32::try_from(body).unwrap_or(0).to_be_bytes();
        let mut frame = vec![length[1], length[2], length[3], 0, 0, 0, 0, 0, 1];
        frame.resize(HEADER + body, 0xff);
        frame
    }

    #[test]
    fn the_end_of_a_frame_is_found_wherever_the_bytes_are_cut() {
        let bytes = [frame(0), frame(300), frame(70_000)].concat();
        let ends = [HEADER, 2 * HEADER + 300, 3 * HEADER + 70_300];
        for step in [1, 5, 9, 10, 309, 4_096, 100_000] {
            let mut frames = Frames::default();
            let mut at = 0;
            for piece in bytes.chunks(step) {
                frames.follow(piece);
                at += piece.len();
                assert_eq!(frames.between(), ends.contains(&at), "{at} in steps of {step}");
            }
        }
    }

    #[test]
    fn the_rest_of_the_frame_under_way_and_no_more() {
        let mut frames = Frames::default();
        assert_eq!(frames.rest(&frame(5)), 0);
        frames.follow(&frame(5)[..3]);
        let two = [frame(5), frame(7)].concat();
        assert_eq!(frames.rest(&two[3..]), HEADER + 2);
        assert_eq!(frames.rest(&two[3..8]), 5);
        frames.follow(&two[3..HEADER + 5]);
        assert!(frames.between());
    }
}
