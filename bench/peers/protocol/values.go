package protocol

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
)

// ReadValues reads FOLDER/NAME.PART.f32, bare little-endian float32 values: as many
// as the product of the sizes, or any number without sizes.
func ReadValues(folder, name, part string, sizes ...int) ([]float32, error) {
	path := folder + "/" + name + "." + part + ".f32"
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	n := len(data) / 4
	if len(sizes) > 0 {
		n = 1
		for _, size := range sizes {
			n *= size
		}
	}
	if len(data) != 4*n {
		return nil, fmt.Errorf("%s: %d bytes, want %d", path, len(data), 4*n)
	}
	values := make([]float32, n)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return values, nil
}
