use crate::{Common, exit::Failure};
pub(crate) async fn chat(_c: &Common, _w: Option<String>) -> Result<(), Failure> {
    Ok(())
}
