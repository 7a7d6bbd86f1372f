//! Claims about the twin, so that tests on it mean something.

use super::*;

fn written(volume: &MemoryVolume, name: &str, bytes: &[u8]) -> Box<dyn VolumeFile> {
    let mut file = volume.open_or_create(name).unwrap();
    file.write_at(bytes, 0).unwrap();
    file
}

#[test]
fn only_what_was_synced_survives_a_power_cut() {
    let volume = MemoryVolume::new();
    let mut file = written(&volume, "a", b"old");
    file.sync().unwrap();
    assert_eq!(volume.after(PowerCut::LosesUnsynced).read("a"), None, "the name was not synced");
    volume.sync_names().unwrap();
    file.write_at(b"new", 0).unwrap();
    assert_eq!(volume.read("a").unwrap(), b"new");
    assert_eq!(volume.after(PowerCut::LosesUnsynced).read("a").unwrap(), b"old");
    assert_eq!(volume.after(PowerCut::KeepsUnsynced).read("a").unwrap(), b"new");
}

#[test]
fn a_torn_write_leaves_whole_sectors_in_any_order() {
    let volume = MemoryVolume::new();
    drop(written(&volume, "a", &[7; 4 * 512]));
    volume.sync_names().unwrap();
    let images: BTreeSet<Vec<u8>> =
        (0..64).map(|seed| volume.after(PowerCut::Tears(seed)).read("a").unwrap()).collect();
    assert!(images.len() > 8, "{} images", images.len());
    for image in &images {
        assert!(image.chunks(512).all(|sector| sector.iter().all(|b| *b == sector[0])));
    }
    assert!(images.iter().any(|image| image.first() == Some(&0) && image.last() == Some(&7)), "a hole");
}

#[test]
fn a_full_volume_takes_what_fits_and_says_so() {
    let volume = MemoryVolume::new();
    volume.set_capacity(Some(10));
    let mut reserve = volume.open_or_create("reserve").unwrap();
    reserve.allocate(6).unwrap();
    let mut file = volume.open_or_create("a").unwrap();
    assert_eq!(file.write_at(b"123456", 0).unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(volume.read("a").unwrap(), b"1234");
    assert_eq!(reserve.allocate(7).unwrap_err().kind(), io::ErrorKind::StorageFull);
    volume.remove("reserve").unwrap();
    file.write_at(b"123456", 0).unwrap();
    assert_eq!(volume.used(), 6);
}

#[test]
fn what_a_failed_sync_should_have_covered_is_lost_for_good() {
    let volume = MemoryVolume::new();
    let mut file = written(&volume, "a", b"x");
    volume.sync_names().unwrap();
    volume.fail_at_step(0);
    assert!(file.sync().is_err());
    file.sync().unwrap();
    assert_eq!(volume.after(PowerCut::LosesUnsynced).read("a").unwrap(), b"");
}

#[test]
fn a_lock_has_one_holder_and_goes_with_the_file() {
    let volume = MemoryVolume::new();
    let mut first = volume.open_or_create("lock").unwrap();
    let mut second = volume.open("lock").unwrap();
    assert!(first.try_lock().unwrap());
    assert!(!second.try_lock().unwrap());
    drop(first);
    assert!(second.try_lock().unwrap());
}
