"""What happened to leads, turned into model inputs. Imported by models, training and serving; imports none of them."""
