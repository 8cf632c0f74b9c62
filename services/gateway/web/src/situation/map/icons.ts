// What the map's signs look like: told apart by their shape, and by colour besides.

export const COLOURS = {
  store: '#0b5cad',
  supplier: '#6a3fa0',
  maker: '#8a4b00',
  served: '#17663a',
  short: '#a51d1d',
  on_time: '#0b5cad',
  late: '#b45309',
  broken: '#a51d1d',
  closed: '#a51d1d',
  ground: '#eef1f4',
} as const

const SIZE = 44 // px on a canvas that is shown at half its size
type Draw = (pen: CanvasRenderingContext2D) => void

function picture(draw: Draw): ImageData {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = SIZE
  const pen = canvas.getContext('2d')!
  pen.lineJoin = 'round'
  draw(pen)
  return pen.getImageData(0, 0, SIZE, SIZE)
}

function shape(colour: string, corners: [number, number][]): ImageData {
  return picture((pen) => {
    pen.beginPath()
    corners.forEach(([x, y], number) => (number ? pen.lineTo(x, y) : pen.moveTo(x, y)))
    pen.closePath()
    pen.fillStyle = colour
    pen.strokeStyle = '#fff'
    pen.lineWidth = 4
    pen.fill()
    pen.stroke()
  })
}

const HOUSE: [number, number][] = [[6, 40], [6, 18], [22, 5], [38, 18], [38, 40]]
const DIAMOND: [number, number][] = [[22, 4], [40, 22], [22, 40], [4, 22]]
const FACTORY: [number, number][] = [[4, 38], [4, 20], [15, 12], [15, 20], [26, 12], [26, 20], [30, 20], [31, 5], [37, 5], [40, 38]]
const ARROW: [number, number][] = [[22, 5], [36, 38], [22, 30], [8, 38]]

export function icons(): Record<string, ImageData> {
  return {
    store: shape(COLOURS.store, HOUSE),
    supplier: shape(COLOURS.supplier, DIAMOND),
    maker: shape(COLOURS.maker, FACTORY),
    on_time: shape(COLOURS.on_time, ARROW),
    late: shape(COLOURS.late, ARROW),
    broken: shape(COLOURS.broken, ARROW),
    blank: picture(() => undefined),
    closed: picture((pen) => {
      for (const [colour, width] of [['#fff', 13], [COLOURS.closed, 8]] as const) {
        pen.strokeStyle = colour
        pen.lineWidth = width
        pen.lineCap = 'round'
        pen.beginPath()
        pen.moveTo(11, 11)
        pen.lineTo(33, 33)
        pen.moveTo(33, 11)
        pen.lineTo(11, 33)
        pen.stroke()
      }
    }),
  }
}
