package sensor

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/jpeg"
	"testing"

	"github.com/stretchr/testify/require"
)

// A picture without Huffman tables is read like the one with them.
func TestPicturesWithoutTables(t *testing.T) {
	picture := image.NewYCbCr(image.Rect(0, 0, 64, 48), image.YCbCrSubsampleRatio422)
	for i := range picture.Y {
		picture.Y[i] = uint8(3 * i)
	}
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, picture, nil))
	whole := b.Bytes()
	tables, found := segmentOf(whole, markerTables)
	require.True(t, found)
	bare := bytes.Replace(whole, tables, nil, 1)
	require.Less(t, len(bare), len(whole)-400)
	_, err := jpeg.Decode(bytes.NewReader(bare))
	require.Error(t, err, "image/jpeg puts the tables in by itself now: jpegReader has no work left")

	c := Config{Type: Camera, Grid: "4x4"}.WithDefaults()
	seen := func(data []byte) []float64 {
		values := make([]float64, 18)
		require.NoError(t, newSight(&c).see(Picture{JPEG: data}, values))
		return append(values[:1:1], values[2:]...)
	}
	require.Equal(t, seen(whole), seen(bare))
	require.Equal(t, seen(whole), seen(append([]byte{0xff, 0xd8, 0xff}, bare[2:]...)), "a fill byte")
}

// The tables are those that libjpeg writes, byte by byte.
func TestStandardTables(t *testing.T) {
	require.Len(t, standardTables(), 420)
	sum := sha256.Sum256(standardTables())
	require.Equal(t, "06ead79f18b4b18186f3ffeb1c8fbb68b659ec6d7ecde7fc139221b54af01448", hex.EncodeToString(sum[:]))
}
