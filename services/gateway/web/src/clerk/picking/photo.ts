// A photo as it is sent: small, and without what a camera writes beside the image (where it was taken, say).
const LONGEST_PX = [1280, 960, 640]
const QUALITY = 0.7
const MOST_CHARS = 512 * 1024 * (4 / 3) // of base64

/** JPEG in base64, drawn anew. Rejects what is no image. */
export async function photoOf(file: Blob): Promise<string> {
  const image = await createImageBitmap(file)
  try {
    for (const longest of LONGEST_PX) {
      const jpeg = drawn(image, Math.min(1, longest / Math.max(image.width, image.height)))
      if (jpeg.length <= MOST_CHARS) return jpeg
    }
  } finally {
    image.close()
  }
  throw new Error('the image is too large at every size')
}

function drawn(image: ImageBitmap, scale: number): string {
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(image.width * scale))
  canvas.height = Math.max(1, Math.round(image.height * scale))
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height)
  return canvas.toDataURL('image/jpeg', QUALITY).split(',')[1]!
}
