"""The steps from rows of any form to clips: measuring, cutting, aligning, listening, remembering."""
