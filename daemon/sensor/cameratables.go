package sensor

import (
	"bytes"
	"image"
	"image/jpeg"
	"io"
	"sync"
)

const markerTables = 0xc4

// jpegReader reads a JPEG. Many cameras leave the Huffman tables out, which means
// those of the standard (ITU-T T.81, annex K): it puts them in.
func jpegReader(data []byte) io.Reader {
	if len(data) < 2 || hasTables(data) {
		return bytes.NewReader(data)
	}
	return io.MultiReader(bytes.NewReader(data[:2]), bytes.NewReader(standardTables()), bytes.NewReader(data[2:]))
}

// hasTables walks over the segments before the picture's data.
func hasTables(data []byte) bool {
	_, found := segmentOf(data, markerTables)
	return found
}

// segmentOf returns the first segment with a marker, from its 0xff to its end.
func segmentOf(data []byte, marker byte) (segment []byte, found bool) {
	for at := 2; at+4 <= len(data) && data[at] == 0xff && data[at+1] != markerScan; {
		if data[at+1] == 0xff { // fill
			at++
			continue
		}
		end := at + 2 + int(data[at+2])<<8 + int(data[at+3])
		if end > len(data) {
			break
		}
		if data[at+1] == marker {
			return data[at:end], true
		}
		at = end
	}
	return nil, false
}

// standardTables is the segment of the standard's tables, which are those that
// image/jpeg writes.
var standardTables = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	jpeg.Encode(&b, image.NewYCbCr(image.Rect(0, 0, 8, 8), image.YCbCrSubsampleRatio420), nil) // into memory, it cannot fail
	tables, _ := segmentOf(b.Bytes(), markerTables)
	return tables
})
