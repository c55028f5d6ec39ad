"""One picture at a time: decoding, true formats, faces, regions, hashes, likeness."""
