//! The one place where a guest's pointers are checked. Must never trust a length, and never clamp one silently.

use std::ops::Range;

use crate::TrapReason;

/// The bytes of the guest's memory that `pointer` and `length` name, for the host function `function`.
pub(crate) fn read<'a>(
    memory: &'a [u8],
    function: &'static str,
    pointer: i32,
    length: i32,
) -> Result<&'a [u8], TrapReason> {
    memory.get(range(pointer, length)).ok_or(TrapReason::BufferOutOfRange(function))
}

/// Like [`read`], for at most `most` bytes.
pub(crate) fn read_bounded<'a>(
    memory: &'a [u8],
    function: &'static str,
    pointer: i32,
    length: i32,
    most: usize,
) -> Result<&'a [u8], TrapReason> {
    let bytes = read(memory, function, pointer, length)?;
    if bytes.len() > most { Err(TrapReason::TooLong(function)) } else { Ok(bytes) }
}

/// Like [`read`], for exactly `N` bytes.
pub(crate) fn read_array<const N: usize>(
    memory: &[u8],
    function: &'static str,
    pointer: i32,
) -> Result<[u8; N], TrapReason> {
    let start = pointer as u32 as usize;
    memory.get(start..).and_then(|rest| rest.first_chunk::<N>()).copied().ok_or(TrapReason::BufferOutOfRange(function))
}

/// The bytes to write to.
pub(crate) fn write<'a>(
    memory: &'a mut [u8],
    function: &'static str,
    pointer: i32,
    length: i32,
) -> Result<&'a mut [u8], TrapReason> {
    memory.get_mut(range(pointer, length)).ok_or(TrapReason::BufferOutOfRange(function))
}

/// Writes all of `bytes`.
pub(crate) fn write_array(
    memory: &mut [u8],
    function: &'static str,
    pointer: i32,
    bytes: &[u8],
) -> Result<(), TrapReason> {
    let start = pointer as u32 as usize;
    let target = memory
        .get_mut(start..)
        .and_then(|rest| rest.get_mut(..bytes.len()))
        .ok_or(TrapReason::BufferOutOfRange(function))?;
    target.copy_from_slice(bytes);
    Ok(())
}

/// The guest's integers are unsigned 32 bits, and the host's are 64: their sum can't wrap.
fn range(pointer: i32, length: i32) -> Range<usize> {
    let start = pointer as u32 as usize;
    start..start + length as u32 as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUT: TrapReason = TrapReason::BufferOutOfRange("test");

    #[test]
    fn ranges_within_memory_are_given_whole() {
        let memory = [1, 2, 3, 4];
        assert_eq!(read(&memory, "test", 1, 2), Ok(&memory[1..3]));
        assert_eq!(read(&memory, "test", 4, 0), Ok(&memory[4..]));
        assert_eq!(read_array(&memory, "test", 0), Ok([1, 2, 3, 4]));
    }

    #[test]
    fn ranges_that_leave_memory_are_refused_whatever_their_sign() {
        let mut memory = [0; 4];
        for (pointer, length) in
            [(0, 5), (4, 1), (5, 0), (-1, 1), (0, -1), (-1, -1), (i32::MIN, i32::MIN), (1, i32::MAX)]
        {
            assert_eq!(read(&memory, "test", pointer, length), Err(OUT), "read {pointer} {length}");
            assert_eq!(write(&mut memory, "test", pointer, length).err(), Some(OUT), "write {pointer} {length}");
        }
        for pointer in [1, 4, 5, -1, i32::MIN] {
            assert_eq!(read_array::<4>(&memory, "test", pointer), Err(OUT));
            assert_eq!(write_array(&mut memory, "test", pointer, &[0; 4]), Err(OUT));
        }
    }

    #[test]
    fn a_bound_holds_for_ranges_within_memory_too() {
        assert_eq!(read_bounded(&[0; 4], "test", 0, 4, 3), Err(TrapReason::TooLong("test")));
    }
}
